//! x
/// x
pub struct SupportApi;
/// x
pub struct SupportError;
