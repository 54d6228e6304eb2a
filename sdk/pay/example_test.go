package pay_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

func ExampleMoney() {
	price := pay.New(3545, pay.TMT) // 35 manat 45 tenge
	total, err := price.Times(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(total, "=", total.Minor, "minor units")
	// Output: 106.35 TMT = 10635 minor units
}

func ExampleParseMoney() {
	for _, text := range []string{"35.45", "35.4", "35.450", "35.455", "35,45"} {
		m, err := pay.ParseMoney(text, pay.TMT)
		if err != nil {
			fmt.Printf("%s: %v\n", text, err)
			continue
		}
		fmt.Printf("%s: %d\n", text, m.Minor)
	}
	// Output:
	// 35.45: 3545
	// 35.4: 3540
	// 35.450: 3545
	// 35.455: amount has more decimals than the currency
	// 35,45: not a decimal amount
}

func ExampleMoney_Decimal() {
	fmt.Println(pay.New(5, pay.KZT).Decimal())
	fmt.Println(pay.New(500, "JPY").Decimal())
	fmt.Println(pay.New(1234, "BHD").Decimal())
	// Output:
	// 0.05
	// 500
	// 1.234
}

func ExampleMoney_Add() {
	_, err := pay.New(100, pay.KZT).Add(pay.New(100, pay.TMT))
	fmt.Println(err)
	// Output: unknown or different currency
}

// A provider that takes whole tenge only refuses the rest before sending.
func ExampleMoney_Whole() {
	tenge, whole := pay.New(250050, pay.KZT).Whole()
	fmt.Println(tenge, whole)
	// Output: 2500 false
}

// A plugin writes a failure as a literal: class, field and the provider's code.
func ExampleError() {
	err := &pay.Error{
		Class: pay.ClassDeclined, Operation: pay.OpRelease, Reason: pay.DeclinedInsufficientFunds,
		Message: "not enough money", ProviderCode: "51",
	}
	fmt.Println(err.Fill())
	fmt.Println(err.Class, err.Reason, err.Advice)
	// Output:
	// release: not enough money (provider code 51)
	// declined insufficient_funds ask_payer
}

// Nothing safe can be repeated while it is not known whether money moved.
func ExampleError_Fill() {
	known := &pay.Error{Class: pay.ClassTimeout, Effect: pay.EffectNone, RetryAfter: 2 * time.Second}
	unknown := &pay.Error{Class: pay.ClassTimeout, Effect: pay.EffectMaybe}
	fmt.Println(known.Fill().Advice, "/", unknown.Fill().Advice)
	// Output: retry_same_key / probe
}

func ExampleClassOf() {
	err := fmt.Errorf("till 7: %w", &pay.Error{Class: pay.ClassCodeExpired})
	fmt.Println(pay.ClassOf(err), pay.ClassOf(errors.New("disk full")), pay.ClassOf(nil) == 0)
	// Output: code_expired host_fault true
}

// Observations may come twice and in any order; the end stays.
func ExamplePayment_Observe() {
	p := pay.Payment{Status: pay.PaymentCreated, Amount: pay.New(250000, pay.KZT)}
	for _, status := range []pay.PaymentStatus{
		pay.PaymentPending, pay.PaymentSucceeded, pay.PaymentPending, pay.PaymentSucceeded,
	} {
		move, _ := p.Observe(pay.Observation{Subject: pay.SubjectPayment, Payment: status})
		fmt.Println(status, move, p.Status)
	}
	_, err := p.Observe(pay.Observation{Subject: pay.SubjectPayment, Amount: pay.New(2500, pay.KZT)})
	fmt.Println(err)
	// Output:
	// pending forward pending
	// succeeded forward succeeded
	// pending older succeeded
	// succeeded same succeeded
	// amount: provider reports 25.00 KZT, payhost has 2500.00 KZT
}
