"""OpenRouter's own books: what they say (`readings`), and how they are asked (`asking`)."""
