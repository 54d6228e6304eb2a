// Package yeniltoleg is the payhost plugin for Yenil-Toleg, the payment service of
// Turkmen-Tranzit (Turkmenistan, TMT).
//
// It follows "API взаимодействия с Yenil-Toleg", version 1.1; comments name the
// sections of that document. What the document leaves open, and what the plugin
// makes of it, stands in docs/providers/yeniltoleg.md.
package yeniltoleg
