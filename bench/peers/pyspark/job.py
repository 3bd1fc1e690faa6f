"""The smaller job on Spark: spark-submit job.py FEEDS_DIR OUT_DIR. DataFrames only: no Python touches a row.

Facts are written to the lake once and read back for the joins: their Parquet is smaller than a cache, and each join reads
only its columns. The small sides (clicks, conversions and what follows from them) are cached.
"""

import csv
import glob
import sys

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType, StringType, StructField, StructType

MONEY = DecimalType(18, 6)
NULL_SPELLINGS = ("", "null", "NULL", "-", "n/a", "N/A")


def texts(*names: str) -> StructType:
    return StructType([StructField(name, StringType()) for name in names])


IMPRESSION = texts("impression_id", "timestamp", "user_id", "creative_id", "campaign_id", "website", "price", "currency")
CREATIVE = texts("creative_id", "campaign_id", "name", "format", "valid_from")


def given(name: str) -> Column:
    return F.when(~F.col(name).isin(*NULL_SPELLINGS), F.col(name)).alias(name)


def instant(text: Column) -> Column:
    """RFC 3339 and its variants by the cast, which wants capitals; digits by magnitude. Later branches run only where the first gives NULL."""
    number = text.try_cast("double")
    since_1970 = F.timestamp_micros(F.round(F.when(number >= 1e14, number).when(number >= 1e11, number * 1e3).otherwise(number * 1e6)).cast("long"))
    return F.coalesce(text.try_cast("timestamp"), F.upper(text).try_cast("timestamp"), F.when((number >= 0) & (number < 1e17), since_1970))


def in_range(time: str) -> Column:
    return F.col(time).between("2000-01-01", "2099-12-31")


def micros(amount: Column) -> Column:
    return F.round(amount * 1_000_000).cast("long")


def deduplicated(events: DataFrame) -> DataFrame:
    """One row of each event_id (any one: finding the earliest costs another pass, and rows of one id should be equal).

    dropDuplicates sorts. Shuffled first and led by a hash, it sorts once and by radix; on the bare ids it sorts before and
    after its shuffle, comparing strings.
    """
    return events.withColumn("event_hash", F.xxhash64("event_id")).repartition("event_hash").dropDuplicates(["event_hash", "event_id"]).drop("event_hash")


def read_impressions(spark: SparkSession, feeds: str) -> DataFrame:
    lines = spark.read.schema(IMPRESSION).json(f"{feeds}/ad-impressions", allowSingleQuotes=False)
    impressions = lines.select(
        given("impression_id"), instant(F.col("timestamp")).alias("event_time"), given("user_id"), given("creative_id"), given("campaign_id"), given("website"),
        given("price"), F.col("price").try_cast(MONEY).alias("amount"), given("currency"),
    ).where(
        F.col("user_id").isNotNull() & F.col("creative_id").isNotNull() & F.col("website").isNotNull() & in_range("event_time")
        & (F.col("price").isNull() | (F.col("amount") >= 0))
    )
    i, c = impressions.alias("i"), F.broadcast(read_creatives(spark, feeds)).alias("c")
    natural = F.concat_ws("|", "i.user_id", "i.creative_id", F.unix_micros("event_time"), "website")
    return deduplicated(
        i.join(c, (F.col("c.creative_id") == F.col("i.creative_id")) & (F.col("event_time") >= F.col("valid_from")) & (F.col("event_time") < F.col("valid_to")), "left").select(
            F.coalesce("impression_id", natural).alias("event_id"), "event_time", "i.user_id", "i.creative_id", F.coalesce("i.campaign_id", "c.campaign_id").alias("campaign_id"),
            F.lower("website").alias("website"), micros(F.col("amount")).alias("price_cpm_micros"), "currency",
        )
    )


def read_creatives(spark: SparkSession, feeds: str) -> DataFrame:
    valid_from = F.coalesce(F.col("valid_from").try_cast("timestamp"), F.lit("1900-01-01").cast("timestamp"))
    creatives = spark.read.schema(CREATIVE).csv(f"{feeds}/reference/creatives.csv", header=True, escape='"').select("creative_id", "campaign_id", valid_from.alias("valid_from"))
    following = F.lead("valid_from").over(Window.partitionBy("creative_id").orderBy("valid_from"))
    return creatives.withColumn("valid_to", F.coalesce(following, F.lit("9999-01-01").cast("timestamp")))


def read_clicks_conversions(spark: SparkSession, feeds: str) -> DataFrame:
    path = f"{feeds}/clicks-conversions"
    with open(sorted(glob.glob(f"{path}/*"))[0], newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    rows = spark.read.schema(texts(*header)).csv(path, header=True, escape='"', mode="DROPMALFORMED")
    kind = F.when(F.coalesce("conversion_type", F.lit("click")) == "click", "click").otherwise("conversion")
    return (
        rows.select(*[given(name) for name in header])
        .withColumn("event_time", instant(F.col("timestamp")))
        .withColumn("amount", F.col("value").try_cast(MONEY))
        .withColumn("event_type", F.coalesce("event_type", kind))
        .where(F.col("user_id").isNotNull() & in_range("event_time") & (F.col("value").isNull() | (F.col("amount") >= 0)))
    )


def read_clicks(rows: DataFrame) -> DataFrame:
    natural = F.concat_ws("|", "user_id", "campaign_id", F.unix_micros("event_time"))
    clicks = rows.where((F.col("event_type") == "click") & F.col("campaign_id").isNotNull())
    return deduplicated(clicks.select(F.coalesce("event_id", natural).alias("event_id"), "event_time", "user_id", "campaign_id", "creative_id"))


def read_conversions(rows: DataFrame) -> DataFrame:
    order = F.concat(F.col("order_id"), F.lit("|"), F.col("conversion_type"))
    natural = F.concat_ws("|", "user_id", "campaign_id", "conversion_type", F.unix_micros("event_time"), "amount")
    conversions = rows.where((F.col("event_type") == "conversion") & F.col("conversion_type").isNotNull())
    return deduplicated(
        conversions.select(
            F.coalesce("event_id", order, natural).alias("event_id"), "event_time", "user_id", "campaign_id", "conversion_type", "order_id",
            micros(F.col("amount")).alias("value_micros"), "currency",
        )
    )


def read_bid_requests(spark: SparkSession, feeds: str) -> DataFrame:
    bids = spark.read.format("avro").load(f"{feeds}/bid-requests").select(
        given("request_id"), F.col("timestamp").alias("event_time"), given("auction.user_id").alias("user_id"), given("auction.space_id").alias("space_id"),
        given("auction.campaign_id").alias("campaign_id"), "auction.creative_id", "bidder.client_id", "auction.amount", "auction.won", "auction.clearing_price",
        "auction.currency", "targeting",
    )
    natural = F.concat_ws("|", "user_id", "space_id", F.unix_micros("event_time"), "amount")
    return deduplicated(
        bids.where(
            F.col("user_id").isNotNull() & F.col("space_id").isNotNull() & in_range("event_time") & F.col("amount").between(0, 8_790_000)
            & (F.coalesce(F.octet_length("request_id"), F.lit(0)) <= 256)
        ).select(
            F.coalesce("request_id", natural).alias("event_id"), "event_time", "user_id", "space_id", "campaign_id", "creative_id", "client_id",
            micros(F.col("amount")).alias("amount_cpm_micros"), "won", micros(F.col("clearing_price")).alias("clearing_cpm_micros"), "currency",
            F.col("targeting.age").alias("target_age"), F.col("targeting.location").alias("target_location"), F.col("targeting.gender").alias("target_gender"),
        )
    )


def match_clicks(clicks: DataFrame, impressions: DataFrame) -> DataFrame:
    """Each click with the latest impression of the same user and campaign in the 24 hours before it."""
    c, i = clicks.alias("c"), impressions.alias("i")
    latest = (
        i.join(
            F.broadcast(c),
            (F.col("c.user_id") == F.col("i.user_id")) & (F.col("c.campaign_id") == F.col("i.campaign_id"))
            & (F.col("i.event_time") <= F.col("c.event_time")) & (F.col("i.event_time") > F.col("c.event_time") - F.expr("interval 24 hours")),
        )
        .groupBy(F.col("c.event_id").alias("event_id"))
        .agg(F.max(F.struct("i.event_time", "i.event_id")).getField("event_id").alias("impression_id"))
    )
    return clicks.join(latest, "event_id", "left")


def touches_of(conversions: DataFrame, events: DataFrame, touch_type: str, window: str) -> DataFrame:
    """A conversion without a campaign meets the touches of its user: two joins with plain keys instead of one with an OR."""
    v, t = conversions.alias("v"), events.alias("t")
    same_user = (F.col("v.user_id") == F.col("t.user_id")) & (F.col("t.event_time") <= F.col("v.event_time")) & (F.col("t.event_time") > F.col("v.event_time") - F.expr(f"interval {window}"))
    columns = [
        F.col("v.event_id").alias("conversion_id"), F.lit(touch_type).alias("touch_type"), F.col("t.event_id").alias("touch_id"),
        F.col("t.event_time").alias("touch_time"), F.col("t.campaign_id").alias("campaign_id"),
    ]
    claimed = t.join(F.broadcast(v), same_user & (F.col("v.campaign_id") == F.col("t.campaign_id"))).select(columns)
    unclaimed = t.join(F.broadcast(v.where(F.col("v.campaign_id").isNull())), same_user).select(columns)
    return claimed.unionAll(unclaimed)


def attribute(conversions: DataFrame, clicks: DataFrame, impressions: DataFrame) -> DataFrame:
    by_click = touches_of(conversions, clicks, "click", "30 days").cache()
    unclicked = conversions.join(by_click.select("conversion_id").distinct(), F.col("event_id") == F.col("conversion_id"), "left_anti")
    touches = by_click.unionAll(touches_of(unclicked, impressions, "impression", "24 hours"))
    path = Window.partitionBy("conversion_id")
    paths = touches.withColumn("path_position", F.row_number().over(path.orderBy("touch_time", "touch_id"))).withColumn("path_length", F.count("*").over(path))
    last_touch = F.when(F.col("path_position") != F.col("path_length"), 0).otherwise(1_000_000).cast("double")
    linear = 1_000_000 / F.coalesce("path_length", F.lit(1))
    value = F.coalesce("value_micros", F.lit(0)) / 1_000_000
    return (
        conversions.withColumnRenamed("campaign_id", "conversion_campaign")
        .join(paths, F.col("event_id") == F.col("conversion_id"), "left")
        .select(
            F.col("event_id").alias("conversion_id"), F.col("event_time").alias("conversion_time"), "touch_id", "touch_type", "touch_time", "user_id",
            F.when(F.col("touch_id").isNull(), F.col("conversion_campaign")).otherwise(F.col("campaign_id")).alias("campaign_id"), "path_position", "path_length",
            last_touch.alias("last_touch_ppm"), linear.alias("linear_ppm"), (last_touch * value).alias("last_touch_value_micros"), (linear * value).alias("linear_value_micros"),
        )
    )


def sum_hours(impressions: DataFrame, clicks: DataFrame, bids: DataFrame, conversions: DataFrame, attribution: DataFrame) -> DataFrame:
    """Every measure is one addend of a long table, summed once."""
    counted, measures = F.count("*"), {}

    def addend(events: DataFrame, time: str, **sums) -> DataFrame:
        measures.update(dict.fromkeys(sums))
        return events.groupBy(F.date_trunc("hour", time).alias("hour"), "campaign_id").agg(*[measure.alias(name) for name, measure in sums.items()])

    credit = ("last_touch_ppm", "linear_ppm", "last_touch_value_micros", "linear_value_micros")
    addends = [
        addend(impressions, "event_time", impressions=counted, cost_cpm_micros=F.sum("price_cpm_micros")),
        addend(clicks, "event_time", clicks=counted),
        addend(bids, "event_time", bid_requests=counted, bids_won=F.count_if("won")),
        addend(conversions, "event_time", conversions=counted, conversion_value_micros=F.sum("value_micros")),
        addend(attribution.where(F.col("touch_id").isNotNull()), "touch_time", **{name: F.sum(name) for name in credit}),
    ]
    long = addends[0]
    for more in addends[1:]:
        long = long.unionByName(more, allowMissingColumns=True)
    return long.groupBy("hour", "campaign_id").agg(*[F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in measures])


def main(feeds: str, out: str) -> None:
    spark = SparkSession.builder.getOrCreate()

    def write(events: DataFrame, table: str, time: str = "event_time") -> None:
        events.withColumn("dt", F.to_date(time)).write.partitionBy("dt").parquet(f"{out}/lake/{table}")

    def written(table: str, *columns: str) -> DataFrame:
        return spark.read.parquet(f"{out}/lake/{table}").select(*columns)

    write(read_impressions(spark, feeds), "impressions")
    write(read_bid_requests(spark, feeds), "bid_requests")
    impressions = written("impressions", "event_id", "event_time", "user_id", "campaign_id", "price_cpm_micros")
    rows = read_clicks_conversions(spark, feeds).cache()
    clicks, conversions = read_clicks(rows).cache(), read_conversions(rows).cache()
    write(match_clicks(clicks, impressions), "clicks")
    write(conversions, "conversions")
    attribution = attribute(conversions, clicks, impressions).cache()
    write(attribution, "attribution", "conversion_time")
    bids = written("bid_requests", "event_time", "campaign_id", "won")
    sum_hours(impressions, clicks, bids, conversions, attribution).coalesce(1).write.parquet(f"{out}/campaign_hourly")
    spark.stop()


main(*sys.argv[1:])
