"""Admission policies: rules in CEL about requests, held by (Validating|Mutating)AdmissionPolicy objects."""
