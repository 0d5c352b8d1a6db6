"""Where functions begin and end, for each way of writing blocks: braces, indentation, end keywords."""
