// What a user writes on the client that oapi-codegen makes of /openapi.json.
//
//	client URL DATA WAITED POLLED     prints the digests of DATA at positions WAITED and POLLED
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"hashcluster.example/client/hashcluster"
)

const (
	deadline = 60 * time.Second
	interval = 50 * time.Millisecond
)

type user struct {
	client *hashcluster.ClientWithResponses
	data   string
}

func (u user) submit(ctx context.Context, iterations int64, prefer *string) (*hashcluster.Job, error) {
	var body hashcluster.SubmitJobsJSONRequestBody
	if err := body.FromTextJobItem(hashcluster.TextJobItem{Data: u.data, Iterations: iterations}); err != nil {
		return nil, err
	}
	answer, err := u.client.SubmitJobsWithResponse(ctx, &hashcluster.SubmitJobsParams{Prefer: prefer}, body)
	switch {
	case err != nil:
		return nil, err
	case answer.JSON202 != nil:
		return answer.JSON202, nil
	case answer.JSON200 != nil:
		job, err := answer.JSON200.AsJob()
		return &job, err
	}
	return nil, fmt.Errorf("not a job: %s %s", answer.Status(), answer.Body)
}

func (u user) read(ctx context.Context, id string) (*hashcluster.Job, error) {
	answer, err := u.client.GetJobWithResponse(ctx, id, nil)
	if err != nil {
		return nil, err
	}
	if answer.JSON200 == nil {
		return nil, fmt.Errorf("not a job: %s %s", answer.Status(), answer.Body)
	}
	return answer.JSON200, nil
}

func (u user) poll(ctx context.Context, id string) (*hashcluster.Job, error) {
	for {
		job, err := u.read(ctx, id)
		if err != nil || (job.State != hashcluster.JobStateQueued && job.State != hashcluster.JobStateRunning) {
			return job, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(interval):
		}
	}
}

func show(job *hashcluster.Job) error {
	if job.Digest == nil {
		return fmt.Errorf("not done: %+v", *job)
	}
	_, err := fmt.Println(*job.Digest)
	return err
}

func run(url, data, waited, polled string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*deadline)
	defer cancel()
	client, err := hashcluster.NewClientWithResponses(url)
	if err != nil {
		return err
	}
	u := user{client, data}
	prefer := fmt.Sprintf("wait=%d", int(deadline.Seconds()))
	for _, each := range []struct {
		iterations string
		prefer     *string
		read       func(context.Context, string) (*hashcluster.Job, error)
	}{{waited, &prefer, u.read}, {polled, nil, u.poll}} {
		iterations, err := strconv.ParseInt(each.iterations, 10, 64)
		if err != nil {
			return err
		}
		job, err := u.submit(ctx, iterations, each.prefer)
		if err != nil {
			return err
		}
		if job, err = each.read(ctx, job.Id); err != nil {
			return err
		}
		if err := show(job); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		log.Fatal(err)
	}
}
