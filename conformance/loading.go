package conformance

const idLoads = "L0.loads"

// loading are the checks of L0.
func loading() []check {
	return []check{
		{
			Check: Check{ID: idLoads, Level: L0, Sentence: "The module loads: what it exports, imports and says of itself fit together.", Proves: "abi"},
			jobs:  func(*suite) ([]job, string) { return []job{{live: func(*Life) {}}}, "" },
		},
	}
}
