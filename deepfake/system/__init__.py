"""What every program needs of its machine: processes that may die, memory, files written whole, text of strangers."""
