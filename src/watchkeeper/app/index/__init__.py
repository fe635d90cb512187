"""Records by what is in them: questions over all of them, without reading all of them."""
