"""DICOM between systems: what an archive asks of a derived object, and the way there and back."""
