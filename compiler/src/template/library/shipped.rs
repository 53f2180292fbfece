//! The texts of the templates that ship with nullcline: one line per file of `templates/`.

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../templates/", $name)))),*]
    };
}

/// The templates that ship with nullcline: (file name, text).
pub const SHIPPED_TEMPLATES: &[(&str, &str)] = shipped![
    "jansen_rit.yaml",
    "qif_mean_field.yaml",
    "wilson_cowan.yaml",
];
