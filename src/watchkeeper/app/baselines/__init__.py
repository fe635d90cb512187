"""What models are judged by: made, compared, suggested."""
