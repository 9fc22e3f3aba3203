"""Pages that compute on arrays: one method a file, NumPy in and NumPy out."""
