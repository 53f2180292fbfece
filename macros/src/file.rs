//! Models in files.

use nullcline_compiler::backend::rust::{Long, ident};
use nullcline_compiler::diagnostic::{Diagnostics, render};
use nullcline_compiler::embed::{Embed, Embedding, Reads, embed};
use nullcline_compiler::source::{Name, SourceMap, Span};
use nullcline_compiler::template::library::FileLibrary;
use proc_macro2::TokenStream;
use quote::quote;

use crate::arguments::{Arguments, Setting, Source};
use crate::fault::Fault;

/// The module of a model in a file.
pub fn expand(arguments: &Arguments, runtime: TokenStream) -> Result<TokenStream, Vec<Fault>> {
    let Source::File { path, span, template } = &arguments.source else { return Ok(TokenStream::new()) };
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let mut whole = format!("{root}/{path}");
    // A shipped template is named without an ending and found beside no crate.
    if !std::path::Path::new(&whole).is_file() && !path.contains(['/', '.']) {
        whole.clone_from(path);
    }
    let mut sources = SourceMap::new();
    let library = Reads::of(FileLibrary::with_template_path(vec![root.clone().into()]));
    let wish = wish(&mut sources, arguments, whole, template.clone(), runtime);
    match embed(&mut sources, &library, &wish) {
        Ok(embedding) => Ok(module(arguments, &embedding, &library.files())),
        Err(faults) => Err(vec![Fault::at(*span, message(&faults, &sources, &root))]),
    }
}

/// What the user wants.
pub fn wish(
    sources: &mut SourceMap,
    arguments: &Arguments,
    path: String,
    template: Option<String>,
    runtime: TokenStream,
) -> Embed {
    let mut name = |key: &str, setting: &Setting| {
        let file = sources.add(format!("{key} of model!"), setting.0.as_str());
        Name::new(setting.0.as_str(), Span::new(file, 0, setting.0.len()))
    };
    Embed {
        path,
        template,
        scheme: arguments.scheme.as_ref().map(|s| name("scheme", s)),
        precision: arguments.precision.as_ref().map(|s| name("precision", s)),
        dt: arguments.dt.map(|d| d.0),
        inputs: arguments.inputs.iter().map(|s| name("inputs", s)).collect(),
        runtime: arguments.std.then_some(runtime),
        std: arguments.std,
        long: Long::Inline,
    }
}

/// The module, which depends on the files it was made from.
pub fn module(arguments: &Arguments, embedding: &Embedding, files: &[String]) -> TokenStream {
    let name = arguments.name.clone().unwrap_or_else(|| ident(&embedding.name));
    let items = &embedding.source.items;
    let doc = &embedding.doc[..1];
    quote! {
        #(#[doc = #doc])*
        pub mod #name {
            #(const _: &[u8] = include_bytes!(#files);)*
            #items
        }
    }
}

/// The whole rendering of faults, with paths as the user knows them.
fn message(faults: &Diagnostics, sources: &SourceMap, root: &str) -> String {
    let text = render(faults, sources, false);
    let text = text.replace(&format!("{root}/"), "");
    format!("the model is at fault\n{}", text.trim_end())
}
