package conformance

// lifecycle are the checks of L1.
func lifecycle() []check {
	return []check{
		{
			Check: Check{ID: "L1.pay", Level: L1, Sentence: "A payment comes to succeeded, with its receipt, and a part of it goes back.", Proves: "contract 4, 8"},
			jobs:  func(*suite) ([]job, string) { return []job{{live: livePay}}, "" },
		},
		{
			Check: Check{ID: "L1.cancel", Level: L1, Sentence: "A payment that was not paid is canceled, or its end is known.", Proves: "contract 2, 4"},
			jobs:  func(*suite) ([]job, string) { return []job{{live: liveCancel}}, "" },
		},
	}
}
