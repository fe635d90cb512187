"""How a model is made, when it is made anew, and what it has to beat."""
