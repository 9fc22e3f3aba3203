"""What a convolutional network is made of, written out by hand, and how to look into a trained one."""
