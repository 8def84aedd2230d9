"""The rooms of the house, one file each, in the order data walks them."""
