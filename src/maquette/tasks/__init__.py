"""What goes in, what is measured, what is drawn: one task a file, shared by all models of that task."""
