"""Where torch keeps its function transforms; gradcore's are in func."""
