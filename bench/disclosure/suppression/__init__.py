"""The former engine, as a peer: cells are withheld (Fischetti and Salazar-González 2001), quickly and exactly."""
