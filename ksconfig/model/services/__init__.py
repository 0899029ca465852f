"""InferenceServices: which images KServe gives them, release by release, and what a change does to each."""
