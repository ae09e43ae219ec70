"""Documents for units, the bureau and the inspectorate. They are made unencrypted here; the workflow seals them."""
