//! Imported key material.
