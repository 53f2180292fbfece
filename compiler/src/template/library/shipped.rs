//! The texts of the templates that ship with nullcline: one line per file of `templates/`.

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../templates/", $name)))),*]
    };
}

/// The templates that ship with nullcline: (file name, text).
pub const SHIPPED_TEMPLATES: &[(&str, &str)] = shipped![
    "fitzhugh_nagumo.yaml",
    "izhikevich_mean_field.yaml",
    "izhikevich_mean_field_biexponential.yaml",
    "izhikevich_mean_field_dimensionless.yaml",
    "izhikevich_mean_field_theta.yaml",
    "jansen_rit.yaml",
    "jansen_rit_circuit.yaml",
    "jansen_rit_two_columns.yaml",
    "kuramoto.yaml",
    "kuramoto_order_parameter.yaml",
    "leaky_integrator_sigmoid.yaml",
    "leaky_integrator_tanh.yaml",
    "linear.yaml",
    "networks/brunel.yaml",
    "networks/coba.yaml",
    "networks/cobahh.yaml",
    "networks/cuba.yaml",
    "networks/izhikevich_2003.yaml",
    "networks/qif.yaml",
    "neurons/adex.yaml",
    "neurons/eif.yaml",
    "neurons/hodgkin_huxley.yaml",
    "neurons/izhikevich_2003.yaml",
    "neurons/izhikevich_2007.yaml",
    "neurons/lif.yaml",
    "neurons/qif.yaml",
    "neurons/qif_sfa.yaml",
    "neurons/regular.yaml",
    "qif_alpha_synapse.yaml",
    "qif_conductance.yaml",
    "qif_depression.yaml",
    "qif_ei.yaml",
    "qif_facilitation.yaml",
    "qif_gap_junctions.yaml",
    "qif_mean_field.yaml",
    "qif_sfa.yaml",
    "robertson.yaml",
    "stdp.yaml",
    "stuart_landau.yaml",
    "synapses/alpha.yaml",
    "synapses/biexponential.yaml",
    "synapses/delta.yaml",
    "synapses/exponential.yaml",
    "theta_neuron.yaml",
    "tsodyks_markram.yaml",
    "van_der_pol.yaml",
    "wilson_cowan.yaml",
    "wilson_cowan_plasticity.yaml",
];
