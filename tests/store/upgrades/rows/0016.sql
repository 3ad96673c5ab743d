-- An event of a second version that matters to security.
SELECT append_events(
    ARRAY['019ba7c7-8730-7000-8000-000000000007']::uuid[], ARRAY['user.custom'], ARRAY['user:ada'], ARRAY['team'], ARRAY[''],
    ARRAY[''], ARRAY[NULL]::uuid[], ARRAY[NULL]::integer[], ARRAY[NULL]::bigint[], ARRAY['{"new": true}'], false,
    ARRAY[2], ARRAY[true]);
