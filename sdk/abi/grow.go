package abi

import (
	"unsafe"

	"github.com/payhost/payhost/sdk/internal/slab"
	"github.com/payhost/payhost/sdk/pay"
)

// Each function here moves a list of n entries to where there is room for more. One
// generic function would be shorter. But its dictionaries count as a use of each type
// by reflection, which keeps all methods of package time in every plugin: 80 KB.

// pools have the lists that nearly every call needs.
var pools struct {
	fields  slab.Pool[pay.Field]
	lines   slab.Pool[pay.Line]
	options slab.Pool[pay.Option]
	texts   slab.Pool[string]
}

func growTexts(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(pools.texts.Take(room)[:0], unsafe.Slice((*string)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growFields(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(pools.fields.Take(room)[:0], unsafe.Slice((*pay.Field)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growLines(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(pools.lines.Take(room)[:0], unsafe.Slice((*pay.Line)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growRefs(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.Ref, 0, room), unsafe.Slice((*pay.Ref)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growOptions(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(pools.options.Take(room)[:0], unsafe.Slice((*pay.Option)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growErrors(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.Error, 0, room), unsafe.Slice((*pay.Error)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growResults(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.Result, 0, room), unsafe.Slice((*pay.Result)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growObservations(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.Observation, 0, room), unsafe.Slice((*pay.Observation)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growItems(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.StatusItem, 0, room), unsafe.Slice((*pay.StatusItem)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growNotifications(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.Notification, 0, room), unsafe.Slice((*pay.Notification)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growProblems(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.Problem, 0, room), unsafe.Slice((*pay.Problem)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growCatalog(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.CatalogEntry, 0, room), unsafe.Slice((*pay.CatalogEntry)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growForm(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]FormSecret, 0, room), unsafe.Slice((*FormSecret)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growAuth(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]Auth, 0, room), unsafe.Slice((*Auth)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growOperations(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.OperationSpec, 0, room), unsafe.Slice((*pay.OperationSpec)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growCurrencies(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.CurrencySpec, 0, room), unsafe.Slice((*pay.CurrencySpec)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growEgress(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.EgressRule, 0, room), unsafe.Slice((*pay.EgressRule)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growSecrets(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.SecretSpec, 0, room), unsafe.Slice((*pay.SecretSpec)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growKeys(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.KeySpec, 0, room), unsafe.Slice((*pay.KeySpec)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growIdentities(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.IdentitySpec, 0, room), unsafe.Slice((*pay.IdentitySpec)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growOAuth2(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := append(make([]pay.OAuth2Profile, 0, room), unsafe.Slice((*pay.OAuth2Profile)(old), n)...)
	return unsafe.Pointer(unsafe.SliceData(list))
}
