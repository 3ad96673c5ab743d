"""What Prometheus is asked of the platform: alerts, objectives and dashboards, as data.

An expression holds ``{@`` where a selector of metrics begins; what is made of it puts in whose metrics
are meant. A word between two @ is a threshold that the chart's values set.
"""
