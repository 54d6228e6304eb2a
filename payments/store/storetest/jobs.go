package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/payments/store"
)

// start begins to work off jobs; stopping is checked at the end of the test.
func start(t *testing.T, s store.Store, w store.Work) (stop func()) {
	t.Helper()
	end, err := s.StartJobs(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := end(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func enqueue(t *testing.T, s store.Store, jobs ...store.Job) {
	t.Helper()
	update(t, s, func(tx store.Tx) error { return tx.Enqueue(jobs...) })
}

func testJobs(t *testing.T, s store.Store) {
	enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "before"}) // nobody works yet
	ran := make(chan store.Job, 100)
	stop := start(t, s, store.Work{Do: func(_ context.Context, job store.Job) (time.Time, error) {
		ran <- job
		return time.Time{}, nil
	}})
	defer stop()
	if job := receive(t, "a job from before", ran); job.Kind != store.JobProbe || job.Key != "before" {
		t.Errorf("ran %v", job)
	}
	if _, err := s.StartJobs(t.Context(), store.Work{}); err == nil {
		t.Error("jobs start twice")
	}
	wantError(t, "rolled back", s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Enqueue(store.Job{Kind: store.JobProbe, Key: "never"}), store.ErrExists)
	}), store.ErrExists)
	enqueue(t, s,
		store.Job{Kind: store.JobProbe, Key: "shop-1"}, store.Job{Kind: store.JobProbe, Key: "shop-1"},
		store.Job{Kind: store.JobProbe, Key: `quoted "<&>" ключ`},
		store.Job{Kind: store.JobDeliver, Key: "shop-1"}, store.Job{Kind: store.JobSweep}, store.Job{Kind: store.JobRetain})
	seen := make(map[string]int)
	for range 5 {
		job := receive(t, "a job", ran)
		seen[string(job.Kind)+" "+job.Key]++
	}
	if len(seen) != 5 {
		t.Errorf("ran %v", seen)
	}
	// Later, and not before; many at once are one.
	at := time.Now().Add(1200 * time.Millisecond)
	race(20, func(int) { enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "later", At: at}) })
	receive(t, "a later job", ran)
	if late := time.Since(at); late < -time.Millisecond || late > 2*time.Second {
		t.Errorf("began %v after its time", late)
	}
	pause(t.Context(), 500*time.Millisecond)
	if len(ran) != 0 {
		t.Errorf("ran again: %v", <-ran)
	}
	// At once means about a second at most.
	now := time.Now()
	enqueue(t, s, store.Job{Kind: store.JobDeliver, Key: "now"})
	receive(t, "a job at once", ran)
	if took := time.Since(now); took > 2*time.Second {
		t.Errorf("began after %v", took)
	}
}

func testJobAgain(t *testing.T, s store.Store) {
	var n atomic.Int64
	done := make(chan time.Time, 10)
	stop := start(t, s, store.Work{Do: func(context.Context, store.Job) (time.Time, error) {
		if n.Add(1) < 4 {
			return time.Now().Add(300 * time.Millisecond), nil
		}
		done <- time.Now()
		return time.Time{}, nil
	}})
	defer stop()
	began := time.Now()
	enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "shop-1"})
	if took := receive(t, "the fourth run", done).Sub(began); took < 900*time.Millisecond || took > 10*time.Second {
		t.Errorf("the fourth run began after %v", took)
	}
	enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "shop-1"})
	receive(t, "a run after the end", done)
}

// testJobWhileItRuns enqueues a job that runs: it may have looked already, so it must run once more.
func testJobWhileItRuns(t *testing.T, s store.Store) {
	running, goOn := make(chan store.Job, 10), make(chan struct{})
	var at atomic.Int64 // when to run again
	var parallel atomic.Int64
	stop := start(t, s, store.Work{Do: func(_ context.Context, job store.Job) (time.Time, error) {
		if parallel.Add(1) > 1 {
			t.Error("a job runs twice at once")
		}
		defer parallel.Add(-1)
		running <- job
		<-goOn
		if after := time.Duration(at.Load()); after > 0 {
			return time.Now().Add(after), nil
		}
		return time.Time{}, nil
	}})
	defer stop()
	defer close(goOn)
	for _, again := range []time.Duration{0, time.Hour, 0} {
		at.Store(int64(again))
		enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "shop-1"})
		receive(t, "the job", running)
		race(4, func(int) { enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "shop-1"}) })
		pause(t.Context(), 600*time.Millisecond)
		goOn <- struct{}{}
		receive(t, "the job again", running)
		goOn <- struct{}{}
	}
}

func testJobMovedForward(t *testing.T, s store.Store) {
	ran := make(chan store.Job, 10)
	stop := start(t, s, store.Work{Do: func(_ context.Context, job store.Job) (time.Time, error) {
		ran <- job
		return time.Now().Add(time.Hour), nil
	}})
	defer stop()
	for _, first := range []time.Duration{time.Hour, 0} { // as it was enqueued, as it snoozes
		if first > 0 {
			enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "shop-1", At: time.Now().Add(first)})
		}
		enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "shop-1", At: time.Now().Add(2 * first)})
		at := time.Now().Add(500 * time.Millisecond)
		enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "shop-1", At: at})
		receive(t, "the job", ran)
	}
	for range 3 {
		pause(t.Context(), 200*time.Millisecond)
		enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "shop-1"})
		receive(t, "the job from its sleep", ran)
	}
}

func testJobFailures(t *testing.T, s store.Store) {
	var n atomic.Int64
	done := make(chan struct{}, 10)
	stop := start(t, s, store.Work{Do: func(context.Context, store.Job) (time.Time, error) {
		switch n.Add(1) {
		case 1:
			return time.Time{}, errors.New("the provider is away")
		case 2:
			panic("a bug")
		}
		done <- struct{}{}
		return time.Time{}, nil
	}})
	defer stop()
	enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "shop-1"})
	receive(t, "the third run", done)
}

func testJobsStop(t *testing.T, s store.Store) {
	running, goOn, ended := make(chan struct{}, 1), make(chan struct{}), make(chan error, 2)
	end, err := s.StartJobs(t.Context(), store.Work{Do: func(ctx context.Context, job store.Job) (time.Time, error) {
		running <- struct{}{}
		if job.Key == "patient" {
			<-goOn
		} else {
			<-ctx.Done()
		}
		ended <- ctx.Err()
		return time.Time{}, ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "patient"})
	receive(t, "the job", running)
	stopped := make(chan error, 1)
	go func() { stopped <- end(context.Background()) }()
	pause(t.Context(), 100*time.Millisecond)
	if len(stopped) > 0 {
		t.Error("stop did not wait for a job")
	}
	close(goOn)
	if err := receive(t, "the end of the job", ended); err != nil {
		t.Errorf("the job was canceled: %v", err)
	}
	if err := receive(t, "stop", stopped); err != nil {
		t.Errorf("stop: %v", err)
	}
	enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "nobody works"})
	pause(t.Context(), 300*time.Millisecond)
	if len(running) > 0 {
		t.Error("a job ran after the stop")
	}
}

func testPeriodicJobs(t *testing.T, s store.Store) {
	ran := make(chan store.Job, 100)
	stop := start(t, s, store.Work{
		Do: func(_ context.Context, job store.Job) (time.Time, error) {
			ran <- job
			return time.Time{}, nil
		},
		Periodic: []store.Periodic{{Job: store.Job{Kind: store.JobSweep}, Every: time.Second}},
	})
	defer stop()
	for range 3 {
		if job := receive(t, "a periodic job", ran); job.Kind != store.JobSweep {
			t.Errorf("ran %v", job)
		}
	}
}

// testJobsUnderLoad has 64 callers write while jobs run that write, too: nobody may starve.
func testJobsUnderLoad(t *testing.T, s store.Store) {
	var probes, delivers atomic.Int64
	stop := start(t, s, store.Work{Do: func(ctx context.Context, job store.Job) (time.Time, error) {
		now := time.Now()
		if job.Kind == store.JobProbe {
			probes.Add(1)
			_, err := s.Due(ctx, job.Key, now, now.Add(time.Hour), 100)
			return now.Add(200 * time.Millisecond), err
		}
		delivers.Add(1)
		list, err := s.Deliveries(ctx, job.Key, now, now.Add(time.Hour), 64)
		var mu sync.Mutex
		race(len(list), func(i int) {
			list[i].State = store.DeliveryDone
			failed := s.Delivered(ctx, list[i])
			mu.Lock()
			defer mu.Unlock()
			err = errors.Join(err, failed)
		})
		if len(list) > 0 {
			return now, err // there may be more
		}
		return time.Time{}, err
	}})
	defer stop()
	enqueue(t, s, store.Job{Kind: store.JobProbe, Key: "shop-1"})
	began := time.Now()
	enough := func() bool {
		took := time.Since(began)
		return took > 2*time.Second && probes.Load() > 2 && delivers.Load() > 2 || took > patience
	}
	var payments atomic.Int64
	race(64, func(int) {
		for !enough() {
			if err := Pay(t.Context(), s); err != nil {
				t.Errorf("pay: %v", err)
				return
			}
			payments.Add(1)
		}
	})
	if probes.Load() < 3 || delivers.Load() < 3 {
		t.Errorf("under load there were %d probes, %d deliveries", probes.Load(), delivers.Load())
	}
	eventually(t, "all events are delivered", func() bool {
		stats := must[store.Stats](t)(s.Stats(t.Context(), time.Now()))
		return len(stats.Pending) == 0
	})
	t.Logf("%d payments, %d probes, %d delivers", payments.Load(), probes.Load(), delivers.Load())
}
