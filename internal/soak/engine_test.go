package soak_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// shop takes payments through the engine and its ledger, on the world's host.
type shop struct {
	world  *world
	store  store.Store
	engine *payments.Engine
	tally  *tally
	orders int
}

func openShop(w *world, t *tally) *shop {
	s, err := store.OpenSQLite(w.t.Context(), filepath.Join(w.t.TempDir(), "payhost.db"), store.Config{})
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := payments.New(payments.Config{Host: w.host, Store: s, Rates: map[string]int{"aurora-engine": 10_000}})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := e.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return &shop{world: w, store: s, engine: e, tally: t}
}

// life is one payment, from its beginning to its refund.
func (s *shop) life(ctx context.Context) error {
	s.orders++
	order := "engine-" + strconv.Itoa(s.orders)
	amount := pay.New(1230, "EUR")
	call := func(step string) payments.Call { return payments.Call{Caller: "soak", Key: order + "-" + step} }
	answer, err := s.engine.Create(ctx, call("create"), payments.NewPayment{
		Connection: "aurora-engine", OrderID: order, Amount: amount,
	})
	if err != nil || answer.InDoubt {
		return fmt.Errorf("engine: create: in doubt %t: %w", answer.InDoubt, err)
	}
	id := answer.Book.PaymentID()
	if err := s.world.stations["aurora-engine"].kit.Move(answer.Book.ProviderRef, "paid"); err != nil {
		return fmt.Errorf("engine: payer: %w", err)
	}
	book, err := s.engine.Payment(ctx, id, true)
	if err != nil || book.Status != pay.PaymentSucceeded {
		return fmt.Errorf("engine: payment is %+v: %w", book, err)
	}
	answer, err = s.engine.Refund(ctx, call("refund"), id, payments.NewRefund{Amount: amount})
	if err != nil || answer.InDoubt {
		return fmt.Errorf("engine: refund: in doubt %t: %w", answer.InDoubt, err)
	}
	s.tally.add("ledger")
	return nil
}

func (s *shop) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.engine.Close(ctx); err != nil {
		s.world.t.Error(err)
	}
	if err := s.store.Close(); err != nil {
		s.world.t.Error(err)
	}
}
