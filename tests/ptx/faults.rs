//! What a user is told when the driver fails.

use std::fs;

use super::driver::{Done, StandIn};

/// 300 units, more connections than one launch steps by itself.
const NETWORK: &str = "
cell:
  base: OperatorTemplate
  equations: [\"v' = -v + u\", r = tanh(v)]
  variables: {v: variable(0.5), r: output, u: input(0.0)}
cells: {base: NodeTemplate, n: 300, operators: cell}
net:
  base: CircuitTemplate
  nodes: {a: cells}
  edges: [[a/cell/r, a/cell/u, null, {weight: {normal: [0.0, 0.1]}, connectivity: all_to_all}]]
simulate: {duration: 0.4, dt: 0.1, record: {v: a/cell/v}}
";

fn place(test: &str) -> StandIn {
    let place = StandIn::new(test);
    fs::write(place.folder.join("network.yaml"), NETWORK).unwrap();
    place
}

fn run(place: &StandIn, script: &str, device: &str) -> Done {
    place.nullcline(script, &format!("run network.yaml --device {device}"))
}

/// Fails unless a run ends with these words on standard error; returns all of them.
#[track_caller]
fn said(place: &StandIn, script: &str, words: &[&str]) -> String {
    let done = run(place, script, "cuda");
    assert_eq!(done.code, Some(1), "{script}: {}{}", done.out, done.said);
    for word in words.iter().chain(&["error: "]) {
        assert!(done.said.contains(word), "{script}: no `{word}`:\n{}", done.said);
    }
    done.said
}

#[test]
fn too_little_memory_says_how_much_was_asked_and_how_much_is_free() {
    let place = place("memory");
    // 300 by 300 weights and a little more.
    for (script, free) in [("memory=1000", "1000 bytes"), ("cuMemAlloc_v2@1=CUDA_ERROR_OUT_OF_MEMORY", "1.07 GB")] {
        let words =
            ["cuda:0 (Stand-in)", " bytes of memory were asked for", &format!("{free} are free"), "--precision f32"];
        let said = said(&place, script, &words);
        let asked = said.split(" bytes of memory were asked for").next().unwrap().rsplit(' ').next().unwrap();
        assert!((300 * 300 * 8..2 * 300 * 300 * 8).contains(&asked.parse::<usize>().unwrap()), "{said}");
    }
    // What was allocated before is given back: with room for the model, but not for what it records.
    said(&place, "memory=1000000", &["bytes of memory were asked for"]);
    place.clean_log();
}

#[test]
fn code_that_the_driver_does_not_take_is_shown_with_its_reasons() {
    let place = place("code");
    let refused = "cuModuleLoadDataEx@1=CUDA_ERROR_INVALID_PTX";
    said(&place, refused, &["cuda:0 (Stand-in): the driver does not take the code", "CUDA_ERROR_INVALID_PTX"]);
    // A driver of CUDA 11.2 takes PTX up to 7.2.
    assert_eq!(run(&place, "version=11020", "cuda").code, Some(0));
    said(&place, "version=9000", &["driver is too old", "CUDA 9.0", "CUDA 11.2"]);
    said(&place, "sm=52", &["cuda:0 (Stand-in) is too old", "sm_52", "sm_60"]);
}

#[test]
fn launches_that_fail_are_named() {
    let place = place("launch");
    let words = ["cuda:0 (Stand-in): `", "` was not launched (2 blocks of 256 threads for 300 elements)"];
    let script = "cuLaunchKernel@2=CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES";
    let said = said(&place, script, &[&words[..], &["CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"]].concat());
    assert!(!said.contains("panicked"), "{said}");
    place.clean_log();
}

#[test]
fn a_device_that_is_lost_is_noticed_later_and_the_last_kernel_named() {
    let place = place("lost");
    let code = place.nullcline("", "compile network.yaml --target ptx -o ptx");
    assert_eq!(code.code, Some(0), "{}", code.said);
    let entries = place.read("ptx/model.ptx");
    for script in ["kernel@4=CUDA_ERROR_LAUNCH_FAILED", "cuMemcpyDtoH_v2@1=CUDA_ERROR_ECC_UNCORRECTABLE"] {
        let why = script.split('=').nth(1).unwrap();
        let said = said(&place, script, &["computing or copying back failed (the last kernel launched was `", why]);
        let entry = said.split("launched was `").nth(1).unwrap().split('`').next().unwrap();
        assert!(entries.contains(&format!(".visible .entry {entry}(")), "{entry}");
        assert!(!said.contains("panicked"), "{said}");
    }
    // A context that is lost takes what was in it along; nothing else was wrong.
    assert!(place.log().iter().all(|line| line.starts_with("released: ") || line.contains("CUDA_ERROR_")));
}

#[test]
fn a_driver_that_does_not_start_and_a_device_that_does_not_open_say_why() {
    let place = place("start");
    let stub = "cuInit@1=CUDA_ERROR_STUB_LIBRARY";
    said(&place, stub, &["the NVIDIA driver does not start: ", "CUDA_ERROR_STUB_LIBRARY"]);
    let mismatch = "cuInit@1=CUDA_ERROR_SYSTEM_DRIVER_MISMATCH";
    said(&place, mismatch, &["the NVIDIA driver does not start: ", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"]);
    let busy = "cuDevicePrimaryCtxRetain@1=CUDA_ERROR_DEVICE_UNAVAILABLE";
    said(&place, busy, &["`cuda:0` does not open: ", "CUDA_ERROR_DEVICE_UNAVAILABLE"]);
    said(&place, "devices=0", &["there is no `cuda:0`: this machine has no processor by NVIDIA"]);
    let done = run(&place, "devices=2", "cuda:2");
    assert!(done.code == Some(1) && done.said.contains("this machine has 2, `cuda:0` to `cuda:1`"), "{}", done.said);
    // They are listed with the reason, each by its own number.
    let listed = place.nullcline(stub, "devices");
    assert!(listed.code == Some(0) && listed.out.contains("cuda  cannot be used: the NVIDIA driver"), "{}", listed.out);
    let listed = place.nullcline(&format!("devices=2,{busy}"), "devices").out;
    assert!(listed.contains("cuda:0  cannot be used: ") && listed.contains("cuda:1  Stand-in"), "{listed}");
    let listed = place.nullcline("devices=0", "devices").out;
    assert!(listed.contains("cuda  none found"), "{listed}");
}

#[test]
fn auto_takes_another_device_and_says_why() {
    let place = place("auto");
    let here = place.nullcline("", "run network.yaml --quiet --engine oracle --out here.csv");
    assert_eq!((here.code, &*here.said), (Some(0), ""));
    let busy = "cuDevicePrimaryCtxRetain@1=CUDA_ERROR_DEVICE_UNAVAILABLE";
    for (script, device, why) in [
        ("cuInit@1=CUDA_ERROR_STUB_LIBRARY", "cpu", "does not start"),
        ("version=10020", "cpu", "too old: it knows CUDA 10.2"),
        ("sm=52", "cpu", "sm_52"),
        (busy, "cpu", "`cuda:0` does not open"),
        (&format!("devices=2,{busy}"), "cuda:1", "`cuda:0` does not open"),
    ] {
        let done = place.nullcline(script, "run network.yaml --device auto --json --out there.csv");
        let warning = format!("warning: `--device auto` computes on `{device}`: ");
        assert!(done.code == Some(0) && done.said.starts_with(&warning), "{script}: {}", done.said);
        assert!(done.said.contains(why) && done.said.lines().count() == 1, "{script}: {}", done.said);
        assert!(done.out.contains(&format!("\"device\":\"{device}")), "{script}: {}", done.out);
        assert!(place.read("here.csv") == place.read("there.csv"), "{script}");
        let done = place.nullcline(script, "run network.yaml --device auto --quiet");
        assert_eq!((done.code, &*done.said), (Some(0), ""), "{script}");
        let sweep = "sweep network.yaml --device auto --grid a/cell/v=0:1:2 --out t.csv --restart";
        let done = place.nullcline(script, sweep);
        assert!(done.code == Some(0) && done.said.starts_with(&warning), "{script}: {}", done.said);
    }
    // A driver without devices is no fault.
    for (script, device) in [("devices=0", "cpu"), ("", "cuda:0")] {
        let done = place.nullcline(script, "run network.yaml --device auto --json");
        assert_eq!((done.code, &*done.said), (Some(0), ""), "{script}");
        assert!(done.out.contains(&format!("\"device\":\"{device}")), "{script}: {}", done.out);
    }
}
