nullcline_macros::model!("models/unknown_record.yaml");

fn main() {}
