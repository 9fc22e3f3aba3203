"""Words as vectors: texts as numbers, counts of neighbours, their factors, and questions to the vectors."""
