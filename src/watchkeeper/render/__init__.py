"""Pure renderings: a value goes in, text comes out."""
