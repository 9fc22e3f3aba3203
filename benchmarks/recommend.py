"""Speed of an epoch of matrix factorisation with biases: `descend`, and scikit-surprise's SVD.

    python benchmarks/recommend.py [--case factors-100] [--rounds 7] [--write]

A round is `EPOCHS` epochs of gradient descent, rating by rating, over the 80,000 ratings of fold u1 of MovieLens 100k,
with the same number of factors, rate and penalty, on one core each. Both take all their work from the ratings to the
trained tables into the time; the ratings are numbered beforehand. Surprise computes in double precision, ours in
single. `python benchmarks/recommend.py --errors` prints the test errors of both after the same epochs, which have to
be alike. rounds.py says how contestants alternate.
"""

import sys

import numpy as np
from rounds import done, main, wait

EPOCHS = 10
CASES = {"factors-20": EPOCHS * 80_000, "factors-100": EPOCHS * 80_000}
RATE, DECAY = 0.007, 0.05


def fold() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of user and item and the rating, of training and test."""
    from maquette import data
    from maquette.data.ratings import RatingEncoder

    ratings = data.load("movielens_100k").with_fold(1)
    encoder = RatingEncoder().fit(ratings.train.x)
    x, test = (encoder.transform(part.x) for part in (ratings.train, ratings.test))
    return x, ratings.train.y, test, ratings.test.y


def ours(factors: int, x: np.ndarray, y: np.ndarray):
    import os

    os.environ.setdefault("KERAS_BACKEND", "jax")
    from maquette.models.recommend.matrix_factorization import MatrixFactorization

    model = MatrixFactorization(users=943, items=1682, factors=factors, decay=DECAY)
    model.descend(x, y, epochs=EPOCHS, rate=RATE)
    return lambda test: np.asarray(model.serve(test))


def surprise(factors: int, x: np.ndarray, y: np.ndarray):
    from surprise import SVD, Dataset, Reader

    raw = [(int(u), int(i), float(r), None) for (u, i), r in zip(x, y)]
    train = Dataset(Reader(rating_scale=(1, 5))).construct_trainset(raw)

    def run():
        model = SVD(n_factors=factors, n_epochs=EPOCHS, lr_all=RATE, reg_all=DECAY, random_state=0)
        model.fit(train)
        return lambda test: np.array([model.predict(int(u), int(i)).est for u, i in test])

    return run


def work_ours(case: str) -> None:
    x, y, *_ = fold()
    while True:
        started = wait()
        ours(int(case.split("-")[1]), x, y)
        done(started)


def work_surprise(case: str) -> None:
    run = surprise(int(case.split("-")[1]), *fold()[:2])
    while True:
        started = wait()
        run()
        done(started)


def errors() -> None:
    """Print the test RMSE of both."""
    x, y, test, truth = fold()
    for case in CASES:
        factors = int(case.split("-")[1])
        for name, answer in (("maquette", ours(factors, x, y)), ("surprise", surprise(factors, x, y)())):
            print(f"{case:12} {name:10} {np.sqrt(np.square(answer(test) - truth).mean()):.4f}")


if __name__ == "__main__":
    if "--errors" in sys.argv:
        errors()
    else:
        main(
            "recommend",
            __doc__.splitlines()[0],
            CASES,
            {"maquette": work_ours, "surprise": work_surprise},
            [["surprise"]],
            lambda case: "matrix_factorization",
        )
