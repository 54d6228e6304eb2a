package providers

import "github.com/payhost/payhost/conformance"

// smartpayCases are S1 to S11 of the provider's list.
func smartpayCases() []conformance.Case {
	return []conformance.Case{
		tillCase(
			"S1", conformance.L2, "contract 3, 6",
			"Whatever call finds no session, an old one or another certificate's opens a new one, once, and comes through; "+
				"what is refused for all that changes nothing.",
			"Keep the cookies of the answer to /v1/auth in storage, under the till's id; on a refused session open another once and send again.",
			liveSessions,
		),
		tillCase(
			"S2", conformance.L1, "contract 3, 8A",
			"A code that is old, forged or claimed buys nothing, here or at another till, and leaves the payment open for a good one.",
			"Check a code before it is claimed where both keys are there, forward it as it came where they are not, and map 2001 to 2004.",
			liveCodes,
		),
		tillCase(
			"S3", conformance.L2, "contract 5, 8A",
			"A bind that is repeated has the same kassa_purchase_id and finds the same purchase; another till's is another purchase.",
			"Send the provider key as kassa_purchase_id at every attempt, and take the purchase's id from each answer.",
			liveCommits,
		),
		tillCase(
			"S4", conformance.L2, "contract 2, 8A",
			"One amount is released for one bound code, once: not before the code is bound, not twice, and never another amount.",
			"Refuse a payment without a purchase, adopt by status what the provider has released, and never an amount that differs.",
			liveReleases,
		),
		tillCase(
			"S5", conformance.L2, "contract 3, 7",
			"A payment is asked after at the provider's pace until it says how it ended, and one that may not be asked after can be canceled.",
			"Map the words of status, declare 3s as the poll interval, and report 429 as rate_limited and not as an end.",
			livePolls,
		),
		tillCase(
			"S6", conformance.L2, "contract 4",
			"A cancel that meets a success ends as the provider's ledger does: voided, or paid and refundable.",
			"Answer cancel as accepted and let status say how it ended.",
			liveCancels,
		),
		tillCase(
			"S7", conformance.L2, "contract 4, 8A",
			"A confirm that is lost is repeated until it is heard, a repeat changes nothing, and what is confirmed cannot be canceled.",
			"Send success again at every attempt; status can't tell a confirmed purchase. Map 3008 to state_conflict.",
			liveConfirms,
		),
		tillCase(
			"S8", conformance.L2, "contract 5, 8A",
			"A till that restarts between any two steps, or dies within one, goes on from the ledger.",
			"Keep nothing in memory: read the purchase's id from the request and the session from storage.",
			liveRestarts,
		),
		tillCase(
			"S9", conformance.L1, "contract 2, 4",
			"A purchase's receipt, one that brings a code and one without a purchase are registered, each once, and touch no payment.",
			"Send version 1 for a purchase's receipt and version 2 for one with a code or without a purchase, with all that is known.",
			liveReceipts,
		),
		tillCase(
			"S10", conformance.L2, "contract 2, 4, 5",
			"Refunds go up to what was paid and not above, each under its own kassa_refund_id, and end as the provider says.",
			"Send the provider key as kassa_refund_id, and let refund_status say how a refund ended, a canceled one too.",
			liveRefunds,
		),
		tillCase(
			"S11", conformance.L2, "contract 3, 6",
			"The list of errors is read as it is now, and a code that nobody knows leaves a doubt that ends well.",
			"Give a code that is not in your table the class protocol, and leave its class in error_catalog empty.",
			liveErrors,
		),
	}
}

func tillCase(id string, level conformance.Level, contract, sentence, cure string, live func(d *desk)) conformance.Case {
	return conformance.Case{
		Check: conformance.Check{
			ID: id, Level: level, Sentence: sentence, Proves: "providers 4, " + id + "; " + contract, Cure: cure,
		},
		Run: func(l *conformance.Life) {
			sim, ok := l.Sim.(*Till)
			if !ok {
				l.Skipf("the simulator is not SmartPay's")
			}
			live(&desk{Life: l, sim: sim})
		},
	}
}
