"""One module for each family of formats. Each reads a `Document` and writes its text to the document's output."""
