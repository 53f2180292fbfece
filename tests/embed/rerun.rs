//! A crate is built anew when a model changes, or a template that it inherits from: by the macro and by a build script.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The parent in a folder of its own, with a time constant.
fn parent(tau: &str) -> String {
    format!("decay:\n  base: OperatorTemplate\n  equations: x' = -x/tau\n  variables: {{x: output(1.0), tau: {tau}}}\n")
}

const CHILD: &str = "
operator: {base: parents/decay/decay, variables: {x: output(3.0)}}
node: {base: NodeTemplate, operators: [operator]}
child: {base: CircuitTemplate, nodes: {p: node}}
simulate: {dt: 0.1, duration: 1.0}
";

const MAIN: &str = r#"
nullcline_macros::model!("models/child.yaml", name = macro_child);
include!(concat!(env!("OUT_DIR"), "/models.rs"));

fn main() {
    let one = macro_child::Model::default();
    let other = child::Model::default();
    print!("{} {} ", one.state.x, one.parameters().tau);
    print!("{} {}", other.state.x, other.parameters().tau);
}
"#;

#[test]
fn a_change_of_a_model_or_of_its_parent_is_built() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rerun");
    let root = env!("CARGO_MANIFEST_DIR");
    for part in ["src", "models/parents"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let write = |path: &str, text: &str| fs::write(folder.join(path), text).unwrap();
    let package = "[package]\nname = \"host\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
    let depend = |name: &str, folder: &str, more: &str| format!("{name} = {{ path = \"{root}/{folder}\"{more} }}\n");
    write(
        "Cargo.toml",
        &format!(
            "{package}\n[dependencies]\n{}{}\n[build-dependencies]\n{}",
            depend("nullcline-macros", "macros", ""),
            depend("nullcline-runtime", "runtime", ", default-features = false"),
            depend("nullcline-compiler", "compiler", ", features = [\"build\"]"),
        ),
    );
    fs::copy(Path::new(root).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    write("build.rs", "fn main() {\n    nullcline_compiler::build::compile(\"models/*.yaml\");\n}\n");
    write("src/main.rs", MAIN);
    write("models/child.yaml", CHILD);
    write("models/parents/decay.yaml", &parent("2.0"));
    let cargo = std::env::var("CARGO").unwrap_or("cargo".to_string());
    let run = || -> Output {
        let run = Command::new(&cargo).args(["run", "--quiet", "--offline"]).current_dir(&folder).output();
        run.unwrap()
    };
    let printed = || {
        let done = run();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    assert_eq!(printed(), "3 2 3 2");
    write("models/parents/decay.yaml", &parent("5.0"));
    assert_eq!(printed(), "3 5 3 5");
    write("models/child.yaml", &CHILD.replace("3.0", "4.0"));
    assert_eq!(printed(), "4 5 4 5");

    // A fault in the parent ends the build, with its place.
    write("models/parents/decay.yaml", &parent("5.0").replace("-x/tau", "-y/tau"));
    let failed = run();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success() && said.contains("models/parents/decay.yaml:3:"), "{said}");
    assert!(said.contains("error: host@0.0.0:") || said.contains("error:"), "{said}");
    write("models/parents/decay.yaml", &parent("2.5"));
    assert_eq!(printed(), "4 2.5 4 2.5");

    // What is odd is said, and two circuits of one name are not one module.
    write("models/parents/decay.yaml", &parent("2.5").replace("{x:", "{tua: 3.0, x:"));
    let odd = Command::new(&cargo).args(["build", "--offline"]).current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&odd.stderr).into_owned();
    assert!(odd.status.success() && said.contains("warning: host@0.0.0:") && said.contains("`tua`"), "{said}");
    write("models/other.yaml", CHILD);
    let failed = run();
    fs::remove_file(folder.join("models/other.yaml")).unwrap();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    let both = "`models/child.yaml` and `models/other.yaml` both become the module `child`";
    assert!(!failed.status.success() && said.contains(both), "{said}");
}
