//! Models in files.

use std::path::Path;

use nullcline_compiler::backend::rust::{Long, ident, without_comments};
use nullcline_compiler::diagnostic::{Diagnostics, render};
use nullcline_compiler::embed::{Embed, Embedding, Form, Reads, embed, put_helps};
use nullcline_compiler::source::{FileId, Name, SourceMap, Span as SourceSpan};
use nullcline_compiler::template::library::FileLibrary;
use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::arguments::{Arguments, Setting, Source};
use crate::fault::Fault;

/// The module of a model in a file.
pub fn expand(arguments: &Arguments, runtime: TokenStream) -> Result<TokenStream, Vec<Fault>> {
    let Source::File { path, span, template } = &arguments.source else { return Ok(TokenStream::new()) };
    let Ok(root) = std::env::var("CARGO_MANIFEST_DIR") else {
        let fault = "`CARGO_MANIFEST_DIR` is not set, so no place is known that the file's name could start from";
        return Err(vec![Fault::at(
            *span,
            format!("{fault}\n  help: build with cargo, or set it to the crate's directory"),
        )]);
    };
    let whole = place(path, &root, *span);
    let mut sources = SourceMap::new();
    let library = Reads::of(FileLibrary::with_template_path(vec![root.clone().into()]));
    let (wish, settings) = wish(&mut sources, arguments, whole.clone(), template.clone(), runtime);
    match embed(&mut sources, &library, &wish) {
        Ok(embedding) => Ok(module(arguments, &embedding, &library.files())),
        Err(mut faults) => {
            put_helps(&mut faults, Form::Macro);
            let mut found = Vec::new();
            let mut rest = Diagnostics::new();
            for fault in faults {
                match settings.span(fault.span.file) {
                    Some(span) => found.push(Fault::of((span, span), fault)),
                    None => rest.push(fault),
                }
            }
            if !rest.is_empty() {
                let text = render(&rest, &sources, false).replace(&whole, path).replace(&format!("{root}/"), "");
                found.push(Fault::at(*span, format!("the model is at fault\n{}", text.trim_end())));
            }
            Err(found)
        }
    }
}

/// Where a path leads: from the directory of the crate, from that of the source file, or to a shipped template.
fn place(path: &str, root: &str, span: Span) -> String {
    let beside = span.unwrap().local_file().and_then(|file| Some(file.parent()?.join(path)));
    // Relative names of source files start from where the compiler runs.
    let beside = beside.and_then(|file| file.canonicalize().ok()).map(|file| file.display().to_string());
    let whole = format!("{root}/{path}");
    match beside {
        _ if Path::new(&whole).is_file() => whole,
        Some(beside) => beside,
        None if path.contains(['/', '.']) => whole,
        None => path.to_string(),
    }
}

/// Where the settings of the macro stand: each is a source of its own.
pub struct Settings(Vec<(FileId, Span)>);

impl Settings {
    /// The token of the setting that a source holds.
    pub fn span(&self, source: FileId) -> Option<Span> {
        self.0.iter().find(|s| s.0 == source).map(|s| s.1)
    }
}

/// What the user wants.
pub fn wish(
    sources: &mut SourceMap,
    arguments: &Arguments,
    path: String,
    template: Option<String>,
    runtime: TokenStream,
) -> (Embed, Settings) {
    let mut settings = Vec::new();
    let mut name = |key: &str, setting: &Setting| {
        let file = sources.add(format!("{key} of model!"), setting.0.as_str());
        settings.push((file, setting.1));
        Name::new(setting.0.as_str(), SourceSpan::new(file, 0, setting.0.len()))
    };
    let wish = Embed {
        path,
        template,
        scheme: arguments.scheme.as_ref().map(|s| name("scheme", s)),
        precision: arguments.precision.as_ref().map(|s| name("precision", s)),
        dt: arguments.dt.map(|d| d.0),
        inputs: arguments.inputs.iter().map(|s| name("inputs", s)).collect(),
        runtime: arguments.std.then_some(runtime),
        std: arguments.std,
        long: Long::Inline,
    };
    (wish, Settings(settings))
}

/// The module, which depends on the files it was made from.
pub fn module(arguments: &Arguments, embedding: &Embedding, files: &[String]) -> TokenStream {
    let inline = match &arguments.source {
        Source::Inline { name, .. } => Some(name.clone()),
        Source::File { .. } => None,
    };
    let name = arguments.name.clone().or(inline).unwrap_or_else(|| ident(&embedding.name));
    let items = without_comments(embedding.source.items.clone());
    let doc = &embedding.doc[..1];
    quote! {
        #(#[doc = #doc])*
        pub mod #name {
            #(const _: &[u8] = include_bytes!(#files);)*
            #items
        }
    }
}
