"""Publishing: releases in, a static site and an open database out. Knows nothing of children, keys or workbooks."""
