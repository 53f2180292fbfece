//! The same on a processor by NVIDIA, where there is one.

use std::process::Command;

use nullcline::runtime::artifact::DeviceError;
use nullcline::runtime::device::cuda::{Facts, devices};
use nullcline::{Engine, Kind, Place};

use super::golden::{golden_models, record};
use super::interpreter::REFERENCE;
use super::{bits, bits_of, difference, every_model};

/// Most steps of a golden model: the rest is the same calls again.
const STEPS: u64 = 100;

/// The processors that open.
fn opened() -> Vec<Facts> {
    let listed = devices().unwrap_or_else(|fault| panic!("{fault}"));
    listed.into_iter().map(|device| device.unwrap_or_else(|fault| panic!("{fault}"))).collect()
}

fn nullcline(arguments: &[&str]) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_nullcline");
    let done = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.code(), said)
}

#[test]
fn every_model_gives_the_bits_of_the_reference_on_a_device() {
    if opened().is_empty() {
        println!("skipped: there is no processor by NVIDIA");
        return;
    }
    let cuda = Engine::lookup("cuda").unwrap();
    every_model(&mut |name, model| {
        for precision in ["f64", "f32"] {
            model.settings.precision = Some(model.name("precision", precision));
            for every in [7, 1] {
                let (found, expected) = (bits(model, cuda, every), bits(model, &REFERENCE, every));
                assert!(found == expected, "{name}, {precision}, a row every {every} steps");
            }
        }
    });
}

#[test]
fn golden_models_give_the_bits_of_the_reference_on_a_device() {
    if opened().is_empty() {
        println!("skipped: there is no processor by NVIDIA");
        return;
    }
    let cuda = Engine::lookup("cuda").unwrap();
    for mut run in golden_models() {
        for precision in ["f64", "f32"] {
            run.model.settings.precision = Some(run.model.name("precision", precision));
            let (found, expected) = (record(&run, cuda, STEPS), record(&run, &REFERENCE, STEPS));
            let apart = difference(&bits_of(&found), &bits_of(&expected));
            assert_eq!(apart, None, "{}, {precision}: first that differs", run.name);
        }
    }
}

#[test]
fn a_missing_device_is_named_and_auto_does_without() {
    let number = opened().len();
    let device = format!("cuda:{number}");
    let (code, said) = nullcline(&["run", "jansen_rit", "--duration", "0.01", "--device", &device]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no NVIDIA driver") || said.contains("there is no `cuda:"), "{said}");
    let (code, said) = nullcline(&["run", "jansen_rit", "--duration", "0.01", "--device", "auto", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let auto = Place::auto();
    assert_eq!(auto.place.kind, if number == 0 { "cpu" } else { "cuda" });
    assert!(said.contains(auto.place.kind), "{said}");
    // Without a driver there is nothing to say of it.
    assert_eq!(auto.passed_over, Vec::<DeviceError>::new());
    assert!(!said.contains("warning"), "{said}");
    // Nothing but `auto` goes elsewhere, and cuBLAS is used where it is asked for by name only.
    assert_eq!(Kind::lookup("cuda").unwrap().engine().unwrap().name, "cuda");
    if number == 0 {
        let (code, said) = nullcline(&["run", "jansen_rit", "--duration", "0.01", "--engine", "cublas"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("no NVIDIA driver") || said.contains("there is no `cuda:"), "{said}");
    }
    let (code, said) = nullcline(&["devices"]);
    assert!(code == Some(0) && said.contains("cuda"), "{said}");
}
