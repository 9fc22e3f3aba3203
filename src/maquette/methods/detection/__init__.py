"""Segmentation and detection: how far found regions and boxes agree with the true ones."""
