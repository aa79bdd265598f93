// off: In which regions is AWS Config off, or fails
MATCH (account:AWSAccount)-[:RESOURCE]->(recorder:AWSConfigurationRecorder)
WHERE NOT recorder.recording OR recorder.last_status = 'Failure'
RETURN account.id AS account, recorder.region AS region, recorder.name AS recorder, recorder.recording AS recording, coalesce(recorder.last_error_code, '') AS error
ORDER BY account, region, recorder;
