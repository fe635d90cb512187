"""Ways to map a function over parts: results in item order, in bounded room, the first error as it was."""
