//! A client of the external key store proxy (XKS) API.
