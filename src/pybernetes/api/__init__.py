"""The shared words, without I/O: typed objects, kinds, selectors, quantities, patches, errors, encodings."""
