//! Settings of a build script: each of them arrives in the code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nullcline::compiler::build::Config;

const MODEL: &str = "
op: {base: shelf/decay, variables: {x: output(1.0)}}
node: {base: NodeTemplate, operators: [op]}
first: {base: CircuitTemplate, nodes: {q: node}}
second: {base: CircuitTemplate, nodes: {p: node}}
simulate: {dt: 1.0, duration: 4.0}
";

const DECAY: &str = "
decay:
  base: OperatorTemplate
  equations: x' = (u - x)/tau
  variables: {x: output(0.0), tau: 1.0, u: 0.0}
";

/// A crate's directory with a model, whose parent lies elsewhere.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("builder").join(name);
    let _ = fs::remove_dir_all(&folder);
    for part in ["models", "more/shelf", "out"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    fs::write(folder.join("models/m.yaml"), MODEL).unwrap();
    fs::write(folder.join("more/shelf.yaml"), DECAY).unwrap();
    folder
}

fn config(folder: &Path) -> Config {
    Config::new().root(folder).out_dir(folder.join("out")).template_path("more").template("second")
}

#[test]
fn settings_of_the_builder_are_those_of_the_code() {
    let folder = folder("settings");
    let made = config(&folder).index("all.rs").scheme("heun").precision("f32").dt(0.25).input("p/op/u").standalone();
    let read = made.try_compile(&["models/*.yaml"]).unwrap();
    for file in ["models", "models/m.yaml", "more/shelf.yaml"] {
        assert!(read.iter().any(|read| Path::new(read) == folder.join(file)), "{file} is not in {read:?}");
    }
    // One step of Heun's scheme: 1 + dt/2 (k1 + k2) with k1 = u - 1 and k2 = u - (1 + dt k1), in single precision.
    let program = r#"
        include!("out/all.rs");
        fn main() {
            let mut model = second::Model::default();
            model.step();
            let free: f32 = model.state.x;
            let mut driven = second::Model::default();
            driven.inputs.u = 1.0;
            driven.step();
            println!("{free} {} {}", driven.state.x, model.time());
        }
    "#;
    fs::write(folder.join("main.rs"), program).unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or("rustc".to_string());
    let built = Command::new(rustc).args(["--edition", "2024", "main.rs"]).current_dir(&folder).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let done = Command::new(folder.join("main")).output().unwrap();
    assert_eq!(String::from_utf8(done.stdout).unwrap().trim(), "0.78125 1 0.25");
}

#[test]
fn the_runtime_is_where_the_builder_says() {
    let folder = folder("runtime");
    let source = || fs::read_to_string(folder.join("out/second.rs")).unwrap();
    config(&folder).runtime("::mine::simulation").try_compile(&["models/m.yaml"]).unwrap();
    assert!(source().contains("::mine::simulation::") && !source().contains("nullcline_runtime"));
    config(&folder).standalone().try_compile(&["models/m.yaml"]).unwrap();
    assert!(!source().contains("nullcline_runtime") && source().contains(".mul_add("));
    config(&folder).no_std().try_compile(&["models/m.yaml"]).unwrap();
    // Without the standard library there is no `mul_add` either.
    assert!(!source().contains("std::") && !source().contains(".mul_add("));
}

#[test]
fn what_the_builder_cannot_do_is_said() {
    let folder = folder("faults");
    let said = |config: Config, pattern: &str| config.try_compile(&[pattern]).unwrap_err().join("\n");
    assert_eq!(said(config(&folder), "models/*.yml"), "no file matches `models/*.yml`");
    let scheme = said(config(&folder).scheme("hoin"), "models/m.yaml");
    assert!(scheme.contains("`hoin`") && scheme.contains("heun"), "{scheme}");
    let template = said(config(&folder).template("third"), "models/m.yaml");
    assert!(template.contains("`third`"), "{template}");
    let parent = said(Config::new().root(&folder).out_dir(folder.join("out")).template("second"), "models/m.yaml");
    assert!(parent.contains("models/m.yaml:2:"), "{parent}");
    assert!(fs::read_dir(folder.join("out")).unwrap().next().is_none(), "nothing is written");
}
