package crash_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/internal/rig"
)

// TestTwoNodes runs two payhosts on one PostgreSQL under load, kills one in the
// middle, and wants every payment brought to its end by the other, by its own jobs
// and in real time: nothing lost, nothing doubled.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	const payments = 60
	w := rig.NewWorld(t)
	database := pgtest.Database(t)
	nodes := []*shop{
		newShop(t, w, orders{Postgres: database, Jobs: true}), newShop(t, w, orders{Postgres: database, Jobs: true}),
	}
	for _, n := range nodes {
		n.start()
	}
	var done atomic.Int64
	var kill sync.Once
	ids := make([]string, payments)
	var wg sync.WaitGroup
	next := make(chan int)
	for range 12 {
		wg.Go(func() {
			for i := range next {
				ids[i] = takeOn(t, nodes, i)
				if done.Add(1) == payments/2 {
					kill.Do(func() { _ = nodes[0].cmd.Process.Kill() })
				}
			}
		})
	}
	for i := range payments {
		next <- i
	}
	close(next)
	wg.Wait()
	if t.Failed() {
		return
	}
	for i, id := range ids {
		wg.Go(func() { endsWell(t, nodes[1], i, id) })
	}
	wg.Wait()
}

// takeOn creates a payment at one node, or at the other if that one is gone, under
// one key, and has the payer pay it.
func takeOn(t *testing.T, nodes []*shop, i int) string {
	order := fmt.Sprintf("n%d", i)
	body := object{
		"connection": rig.Rahmet, "order_id": order, "amount": money("250000", "KZT"), "return_url": "https://shop.example/",
	}
	if i%2 == 1 {
		body = yenilPayment(order)
	}
	for try := range 200 {
		var a answer
		node := nodes[(i+try)%2]
		code, err := node.request(http.MethodPost, "/v1/payments", "nodes-"+order, body, &a)
		switch {
		case err == nil && (code == http.StatusCreated || code == http.StatusAccepted):
			return a.ID
		case err == nil && code != http.StatusConflict && a.Advice != "retry_same_key":
			t.Errorf("create %s: %d %+v", order, code, a)
			return ""
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("create %s: never answered", order)
	return ""
}

// endsWell has the payer pay and waits until the payment has succeeded; the provider
// must have been paid once.
func endsWell(t *testing.T, node *shop, i int, id string) {
	order := fmt.Sprintf("n%d", i)
	paid := false
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		var a answer
		if _, err := node.request(http.MethodGet, "/v1/payments/"+id, "", nil, &a); err != nil {
			t.Errorf("the node that lives is gone: %v", err)
			return
		}
		switch {
		case a.is("succeeded"):
			if i%2 == 1 {
				node.effects(rig.YenilToleg, order, 3545, 0)
			} else {
				node.effects(rig.Rahmet, order, 250000, 0)
			}
			return
		case a.is("pending") && a.InDoubt == nil && !paid:
			paid = true
			if i%2 == 1 {
				node.move(rig.YenilToleg, a.ProviderRef, "Succeeded")
			} else {
				node.move(rig.Rahmet, order, "payer_pays")
			}
		}
	}
	t.Errorf("payment %s of %s never succeeded\n%s", id, order, node.timeline("/v1/payments/"+id))
}
