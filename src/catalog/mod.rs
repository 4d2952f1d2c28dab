//! Models as data: what each model accepts and costs. Knows the domain; reads no files itself, merges purely.
