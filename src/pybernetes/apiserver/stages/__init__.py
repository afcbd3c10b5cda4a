"""The stages of the pipeline that decide who asks and whether they may."""
