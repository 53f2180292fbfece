//! Helps of diagnostics in the words of whoever asked: settings are written `--key value` in them, as the program takes
//! them; the macro and build scripts have other forms.

use crate::diagnostic::Diagnostics;

/// Where settings are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `model!("file.yaml", scheme = heun)`
    Macro,
    /// `model!(name { .. }, scheme = heun)`, where there is no file.
    Inline,
    /// `Config::new().scheme("heun")`
    Build,
}

/// Rewrites the helps.
pub fn put_helps(faults: &mut Diagnostics, form: Form) {
    for fault in &mut faults.0 {
        if let Some(help) = &mut fault.help {
            *help = in_form(help, form);
        }
    }
}

fn in_form(help: &str, form: Form) -> String {
    let mut help = help.to_string();
    if form == Form::Inline
        && let Some(at) = help.find(", or `")
        && help.ends_with("` in the file's `simulate:` section")
    {
        help.truncate(at);
    }
    if form != Form::Build {
        // There is no such setting.
        help = help.replace(", or add `--template-path DIRECTORY`", "");
        help = help.replace("to the working directory", "to the directory of `Cargo.toml`");
    }
    // A template is named beside the file, not behind it.
    if let Some(rest) = help.strip_prefix("choose one: `")
        && let Some((chosen, rest)) = rest.split_once('`')
        && let Some((path, name)) = chosen.rsplit_once(':')
    {
        help = match form {
            Form::Build => format!("choose one: `.template(\"{name}\")`{rest}"),
            _ => format!("choose one: `\"{path}\", {name}`{rest}"),
        };
    }
    let parts = help.split('`').enumerate().map(|(place, part)| match part.strip_prefix("--") {
        Some(setting) if place % 2 == 1 => written(setting, form),
        _ => part.to_string(),
    });
    parts.collect::<Vec<String>>().join("`")
}

/// A setting `key value`, without the backticks around it.
fn written(setting: &str, form: Form) -> String {
    let (key, value) = setting.split_once(' ').unwrap_or((setting, ""));
    let quoted = |key: &str| format!(".{key}(\"{value}\")");
    match (key, form) {
        ("record", Form::Inline) => "v: output(0.0);".to_string(),
        ("record", _) => match value.split_once('=') {
            Some((name, path)) => format!("simulate: {{record: {{{name}: {path}}}}}"),
            None => "simulate: {record: ..}".to_string(),
        },
        ("dt", Form::Build) if value.parse::<u64>().is_ok() => format!(".dt({value}.0)"),
        ("dt", Form::Build) => format!(".dt({value})"),
        (_, Form::Build) => quoted(&key.replace('-', "_")),
        _ => format!("{} = {value}", key.replace('-', "_")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::settings;

    #[test]
    fn settings_are_written_as_whoever_asks_writes_them() {
        let help = settings::missing("step size", "dt", "1e-4").help.expect("a help");
        let of = |form| in_form(&help, form);
        assert_eq!(of(Form::Macro), "use `dt = 1e-4`, or `dt: 1e-4` in the file's `simulate:` section");
        assert_eq!(of(Form::Inline), "use `dt = 1e-4`");
        assert_eq!(of(Form::Build), "use `.dt(1e-4)`, or `dt: 1e-4` in the file's `simulate:` section");
        let two = "use `--scheme exponential_euler` or `--scheme rk4`";
        assert_eq!(in_form(two, Form::Macro), "use `scheme = exponential_euler` or `scheme = rk4`");
        assert_eq!(in_form(two, Form::Build), "use `.scheme(\"exponential_euler\")` or `.scheme(\"rk4\")`");
        assert_eq!(in_form("use `--dt 2` or smaller", Form::Build), "use `.dt(2.0)` or smaller");
        let choose = "choose one: `models/a.yaml:First`, or `template: First` in the section `simulate:`";
        let (first, rest) = ("\"models/a.yaml\", First", "or `template: First` in the section `simulate:`");
        assert_eq!(in_form(choose, Form::Macro), format!("choose one: `{first}`, {rest}"));
        assert_eq!(in_form(choose, Form::Build), format!("choose one: `.template(\"First\")`, {rest}"));
        let record = settings::nothing_recorded().help.expect("a help");
        assert_eq!(in_form(&record, Form::Macro), "use `simulate: {record: {NAME: path/to/variable}}`");
        assert_eq!(in_form(&record, Form::Inline), "use `v: output(0.0);`");
    }
}
