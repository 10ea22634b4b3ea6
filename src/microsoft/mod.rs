//! The Microsoft side: Entra sign-in, the support API of the Microsoft 365 admin center, connector addresses.
