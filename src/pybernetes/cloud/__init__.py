"""cloud-controller-manager: what ties nodes and their networks to the place where they run, behind one provider
seam.
"""
